//! Colours: the design's tokens by name. Which colour a token has, the page's style says.

/// A colour by the name of its design token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    /// Text and the lines that decide something.
    Ink,
    /// Text of the second rank.
    Ink2,
    /// Text of the third rank.
    Ink3,
    /// What the board stands on.
    Surface,
    /// What lies on the surface.
    Raised,
    /// The selected row.
    Sel,
    /// Decorative lines.
    Line,
    /// Outlines.
    Control,
    /// The ground of a strip: between the page's ground and the surface.
    Strip,
    /// A task on its way.
    Task,
    /// An answer in time.
    InTime,
    /// No answer in time.
    Late,
    /// A failure.
    Failed,
    /// A lie.
    Lying,
    /// A node that is down.
    Down,
    /// Text and signs on a state's colour.
    OnState,
}

impl Paint {
    /// All of them; each one's place is its number.
    pub const ALL: [Paint; 16] = [
        Paint::Ink,
        Paint::Ink2,
        Paint::Ink3,
        Paint::Surface,
        Paint::Raised,
        Paint::Sel,
        Paint::Line,
        Paint::Control,
        Paint::Strip,
        Paint::Task,
        Paint::InTime,
        Paint::Late,
        Paint::Failed,
        Paint::Lying,
        Paint::Down,
        Paint::OnState,
    ];

    /// The custom property that holds it. [`Paint::Strip`] is mixed of two, and has none.
    pub const fn token(self) -> &'static str {
        match self {
            Paint::Ink => "--ink",
            Paint::Ink2 => "--ink2",
            Paint::Ink3 => "--ink3",
            Paint::Surface => "--surface",
            Paint::Raised => "--raised",
            Paint::Sel => "--sel",
            Paint::Line => "--line",
            Paint::Control => "--control",
            Paint::Strip => "",
            Paint::Task => "--task",
            Paint::InTime => "--in-time",
            Paint::Late => "--late",
            Paint::Failed => "--failed",
            Paint::Lying => "--lying",
            Paint::Down => "--down",
            Paint::OnState => "--on-state",
        }
    }

    /// This colour, with that much of it covering what is below.
    pub const fn alpha(self, alpha: f32) -> Tint {
        Tint { paint: self, alpha }
    }
}

/// A colour and how much of it covers what is below.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tint {
    /// The colour.
    pub paint: Paint,
    /// 0 … 1.
    pub alpha: f32,
}

impl From<Paint> for Tint {
    fn from(paint: Paint) -> Self {
        Tint { paint, alpha: 1.0 }
    }
}
