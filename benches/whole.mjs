// `node whole.mjs MODULE SCENARIO`: plays a whole run in WebAssembly and prints a line of JSON: seconds of CPU time, and the trace
// hash. The first run warms up, and does not count: the figure is the best-compiled code's.

const [path, scenario] = process.argv.slice(2);
const { play } = await import(path);

play(scenario);
const start = process.cpuUsage();
const trace_hash = play(scenario);
const { user, system } = process.cpuUsage(start);
console.log(JSON.stringify({ seconds: (user + system) / 1e6, trace_hash }));
