//! What is measured: our programs as they ship, and what people would use instead, doing the same work.

use std::path::{Path, PathBuf};

use crate::process::Program;

/// The measured programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Name {
    /// Our authorizer.
    Ours,
    /// An empty Rust handler: the floor.
    Empty,
    /// A Rust authorizer with everything at its defaults.
    Naive,
    /// Node with `aws-jwt-verify` and the AWS SDK v3, bundled.
    Node,
    /// Python with PyJWT and boto3.
    Python,
}

impl Name {
    /// Those that check credentials.
    pub const AUTHORIZERS: [Self; 4] = [Self::Ours, Self::Naive, Self::Node, Self::Python];

    /// What the report calls it.
    pub fn text(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Empty => "empty Rust handler (floor)",
            Self::Naive => "Rust, everything at its defaults",
            Self::Node => "Node, aws-jwt-verify, SDK v3, bundled",
            Self::Python => "Python, PyJWT, boto3",
        }
    }
}

/// Where everything was built to.
#[derive(Debug, Clone)]
pub struct Built {
    /// `target/lambda`: a folder for each function, a `bootstrap` in each.
    pub functions: PathBuf,
    /// The folder of the probe's `bootstrap`.
    pub probe: PathBuf,
    /// The two Rust peers.
    pub rust: PathBuf,
    /// The bundled Node authorizer, and `better-auth.mjs`.
    pub node: PathBuf,
    /// The virtual environment's Python.
    pub python: PathBuf,
    /// The peers' sources.
    pub peers: PathBuf,
    /// Where logs go.
    pub logs: PathBuf,
}

impl Built {
    /// A measured authorizer, or the floor.
    pub fn program(&self, name: Name, environment: Vec<(String, String)>) -> Program {
        let text = |path: PathBuf| path.to_string_lossy().into_owned();
        let command = match name {
            Name::Ours => return self.function("authorizer", environment),
            Name::Empty => vec![text(self.rust.join("empty"))],
            Name::Naive => vec![text(self.rust.join("naive"))],
            Name::Node => vec!["node".to_owned(), text(self.node.join("authorizer.mjs"))],
            Name::Python => vec![text(self.python.clone()), text(self.peers.join("python/authorizer.py"))],
        };
        self.start(command, environment, &format!("{name:?}"))
    }

    /// One of our functions.
    pub fn function(&self, function: &str, environment: Vec<(String, String)>) -> Program {
        let bootstrap = self.bootstrap(function).to_string_lossy().into_owned();
        self.start(vec![bootstrap], environment, function)
    }

    /// What the table costs through the SDK, and nothing else.
    pub fn probe(&self, environment: Vec<(String, String)>) -> Program {
        let bootstrap = self.probe.join("bootstrap").to_string_lossy().into_owned();
        self.start(vec![bootstrap], environment, "probe")
    }

    /// A function's program.
    pub fn bootstrap(&self, function: &str) -> PathBuf {
        self.functions.join(function).join("bootstrap")
    }

    fn start(&self, command: Vec<String>, environment: Vec<(String, String)>, log: &str) -> Program {
        Program {
            command,
            environment,
            folder: self.folder().to_owned(),
            log: self.logs.join(format!("{log}.log")),
        }
    }

    fn folder(&self) -> &Path {
        &self.logs
    }
}
