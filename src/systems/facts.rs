//! Facts: what happens in a system and anybody outside may want to know.
//!
//! Each system declares one closed enum of them. A role says `site.tell(fact)` once; that makes the record in the trace
//! and hands the fact to whoever listens: the laboratory's folds, which count, check and keep. A role cannot ask for
//! anything back, so nothing in a simulation can depend on who listens. In a trace file a fact stands as it is written
//! as JSON, which is done only when somebody asked for one.

use crate::kernel::{Ctx, Instant, Kind, Scope, Span};
use serde::Serialize;
use std::cell::RefCell;
use std::rc::Rc;

/// Something that happens in one system.
pub trait Fact: Serialize {
    /// Its record's kind.
    fn kind(&self) -> Kind;

    /// The other node concerned, in its record; 0 for none.
    fn peer(&self) -> u32 {
        0
    }

    /// Its record's figure, whose meaning the kind gives.
    fn value(&self) -> u64 {
        0
    }
}

/// A fact with what its record says of it.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a, F> {
    /// The record's number.
    pub n: u64,
    /// When.
    pub at: Instant,
    /// The node where it happened; 0 is the laboratory itself.
    pub node: u32,
    /// The request, job or change that it belongs to; 0 for none.
    pub req: u64,
    /// What happened.
    pub fact: &'a F,
}

/// Who hears of facts, in the order in which they happen.
pub trait Hear<F> {
    /// A fact has happened.
    fn hear(&mut self, told: &Told<'_, F>);

    /// What the laboratory knows of a fact that no role does, for trace files: the truth, who listens. It is asked before
    /// the fact is heard.
    #[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
    fn aside(&self, _: &Told<'_, F>) -> Option<serde_json::Value> {
        None
    }

    /// Facts of the part `place` of this request are about to come: who keeps something of it may have it fetched. See
    /// [`Foresee`](crate::kernel::Foresee).
    fn foresee(&self, _req: u64, _place: usize) {}
}

/// A fact's own fields, as trace files have them: its name is the record's kind.
#[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
pub fn fields(fact: &impl Fact) -> serde_json::Value {
    let mut fields = serde_json::to_value(fact).unwrap_or_default();
    fields.as_object_mut().and_then(|fields| fields.remove("fact"));
    fields
}

/// A role's handle to tell with: it takes facts and gives nothing back but their numbers.
pub struct Teller<F> {
    ctx: Ctx,
    ears: Rc<RefCell<dyn Hear<F>>>,
}

impl<F> Clone for Teller<F> {
    fn clone(&self) -> Self {
        Teller { ctx: self.ctx.clone(), ears: Rc::clone(&self.ears) }
    }
}

impl<F: Fact> Teller<F> {
    /// Tells those `ears`.
    pub fn new(ctx: &Ctx, ears: Rc<RefCell<dyn Hear<F>>>) -> Self {
        Teller { ctx: ctx.clone(), ears }
    }

    /// A fact of the current task's node and request, caused by the task's last record. It causes what the task does next.
    /// Returns its record's number.
    pub fn tell(&self, fact: F) -> u64 {
        let (scope, req) = (self.ctx.scope(), self.ctx.span().tag);
        let n = self.ctx.record(fact.kind(), fact.peer(), fact.value());
        self.hand_on(n, scope, req, &fact)
    }

    /// A fact of another node or cause; the current task's span stays as it is.
    pub fn tell_in(&self, scope: Scope, span: Span, fact: F) -> u64 {
        let n = self.ctx.record_in(scope, span, fact.kind(), fact.peer(), fact.value());
        self.hand_on(n, scope, span.tag, &fact)
    }

    /// The same with several causes, such as the answers that an aggregate is made of. What follows is caused by it alone.
    pub fn tell_joined(&self, causes: &[u64], fact: F) -> u64 {
        let (scope, req) = (self.ctx.scope(), self.ctx.span().tag);
        let n = self.ctx.record_joined(fact.kind(), fact.peer(), fact.value(), causes);
        self.hand_on(n, scope, req, &fact)
    }

    /// Says that facts of a part of a request will be told soon.
    pub fn foresee(&self, req: u64, place: usize) {
        self.ears.borrow().foresee(req, place);
    }

    fn hand_on(&self, n: u64, scope: Scope, req: u64, fact: &F) -> u64 {
        let told = Told { n, at: self.ctx.now(), node: scope.0, req, fact };
        self.note(&told);
        self.ears.borrow_mut().hear(&told);
        n
    }

    /// Writes a fact beside its record, and what the laboratory adds.
    #[cfg(not(target_arch = "wasm32"))]
    fn note(&self, told: &Told<'_, F>) {
        self.ctx.note(told.n, || {
            let fields = fields(told.fact);
            serde_json::json!({"fact": fields, "lab": self.ears.borrow().aside(told)}).to_string()
        });
    }

    /// The page makes its trace files of the facts that it keeps.
    #[cfg(target_arch = "wasm32")]
    fn note(&self, _: &Told<'_, F>) {}
}
