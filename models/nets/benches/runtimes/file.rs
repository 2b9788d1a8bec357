//! The band's network and the listener's as ONNX files: as much of the format as that takes.
//!
//! A file is a protocol buffer: fields of a number and a type (0 for a whole number, 2 for so many bytes).
//! Field numbers are those of onnx.proto, version 8 of the format, operator set 13.

use std::collections::BTreeMap;

use sideman_inference::band::Config;
use sideman_inference::genre::audio::MelClassifier;
use sideman_inference::weights::Shaped;

/// Bytes of one message.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut v: u64) {
        while v >= 128 {
            self.0.push(v as u8 | 128);
            v >>= 7;
        }
        self.0.push(v as u8);
    }

    fn int(mut self, field: u64, v: u64) -> Self {
        self.varint(field << 3);
        self.varint(v);
        self
    }

    fn bytes(mut self, field: u64, v: &[u8]) -> Self {
        self.varint(field << 3 | 2);
        self.varint(v.len() as u64);
        self.0.extend_from_slice(v);
        self
    }

    fn text(self, field: u64, v: &str) -> Self {
        self.bytes(field, v.as_bytes())
    }

    fn message(self, field: u64, v: &Message) -> Self {
        self.bytes(field, &v.0)
    }
}

/// A named tensor's type and shape: f32.
fn described(name: &str, shape: &[usize]) -> Message {
    let dims =
        shape.iter().fold(Message::default(), |m, &n| m.message(1, &Message::default().int(1, n as u64)));
    let tensor = Message::default().int(1, 1).message(2, &dims);
    Message::default().text(1, name).message(2, &Message::default().message(1, &tensor))
}

/// A network step by step, and what goes into it and comes out.
pub(crate) struct Graph {
    message: Message,
    /// Names and shapes of the inputs.
    pub(crate) inputs: Vec<(String, Vec<usize>)>,
    outputs: Vec<(String, usize)>,
}

impl Graph {
    fn stored(&mut self, name: &str, kind: u64, shape: &[usize], raw: &[u8]) {
        let message = shape.iter().fold(Message::default(), |m, &n| m.int(1, n as u64));
        let message = message.int(2, kind).text(8, name).bytes(9, raw);
        self.push(5, &message);
    }

    fn push(&mut self, field: u64, message: &Message) {
        self.message = std::mem::take(&mut self.message).message(field, message);
    }

    fn node(&mut self, op: &str, inputs: &[&str], outputs: &[&str], attributes: &[(&str, u64)]) {
        let mut m = Message::default();
        m = inputs.iter().fold(m, |m, i| m.text(1, i));
        m = outputs.iter().fold(m, |m, o| m.text(2, o));
        m = m.text(3, outputs[0]).text(4, op);
        for (name, value) in attributes {
            m = m.message(5, &Message::default().text(1, name).int(3, *value).int(20, 2));
        }
        self.push(1, &m);
    }

    /// A node with attributes that are lists.
    fn windowed(&mut self, op: &str, inputs: &[&str], out: &str, attributes: &[(&str, &[usize])]) {
        let mut m =
            inputs.iter().fold(Message::default(), |m, i| m.text(1, i)).text(2, out).text(3, out).text(4, op);
        for (name, values) in attributes {
            let list = values.iter().fold(Message::default().text(1, name), |m, &v| m.int(8, v as u64));
            m = m.message(5, &list.int(20, 7));
        }
        self.push(1, &m);
    }

    /// Mean and deviation over rows and columns.
    fn pooled(&mut self, x: &str) -> [String; 2] {
        let name = |what: &str| format!("{x}.{what}");
        self.windowed("ReduceMean", &[x], &name("kept"), &[("axes", &[2, 3])]);
        self.node("Flatten", &[&name("kept")], &[&name("mean")], &[]);
        self.node("Sub", &[x, &name("kept")], &[&name("about")], &[]);
        self.node("Mul", &[&name("about"), &name("about")], &[&name("square")], &[]);
        self.windowed("ReduceMean", &[&name("square")], &name("variance"), &[("axes", &[2, 3])]);
        self.node("Flatten", &[&name("variance")], &[&name("flat")], &[]);
        self.node("Add", &[&name("flat"), "least"], &[&name("more")], &[]);
        self.node("Sqrt", &[&name("more")], &[&name("deviation")], &[]);
        [name("mean"), name("deviation")]
    }

    /// A listener over so many columns, batch normalisation folded into it.
    pub(crate) fn listener(config: &MelClassifier, tensors: &Tensors, columns: usize) -> Self {
        let mut g = Self { message: Message::default(), inputs: vec![], outputs: vec![] };
        for (name, (shape, values)) in tensors {
            let raw: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
            g.stored(name, 1, shape, &raw);
        }
        g.stored("least", 1, &[1], &1e-4f32.to_le_bytes());
        let shape = vec![1, 1, config.bands, columns];
        g.push(11, &described("x", &shape));
        g.inputs.push(("x".into(), shape));
        let (mut x, mut features) = ("x".to_owned(), vec![]);
        for (i, stage) in config.stages.iter().enumerate() {
            let (conv, relu, pool) = (format!("c{i}"), format!("r{i}"), format!("p{i}"));
            let (w, b) = (format!("conv{i}.w"), format!("conv{i}.b"));
            g.windowed("Conv", &[&x, &w, &b], &conv, &[("pads", &[1, 0, 1, 0])]);
            g.node("Relu", &[&conv], &[&relu], &[]);
            let window = [stage.pool.0, stage.pool.1];
            g.windowed("MaxPool", &[&relu], &pool, &[("kernel_shape", &window), ("strides", &window)]);
            if i + config.levels >= config.stages.len() {
                features.extend(g.pooled(&pool));
            }
            x = pool;
        }
        g.windowed("Conv", &[&x, "conv.w", "conv.b"], "c", &[]);
        g.node("Relu", &["c"], &["r"], &[]);
        features.extend(g.pooled("r"));
        let names: Vec<&str> = features.iter().map(String::as_str).collect();
        g.node("Concat", &names, &["features"], &[("axis", 1)]);
        g.product("features", "last.w", "last.b", "logits");
        g.output("logits", config.classes);
        g
    }

    /// `out = x w^T`, plus `bias` if it has a name.
    fn product(&mut self, x: &str, w: &str, bias: &str, out: &str) {
        let inputs = if bias.is_empty() { vec![x, w] } else { vec![x, w, bias] };
        self.node("Gemm", &inputs, &[out], &[("transB", 1)]);
    }

    fn input(&mut self, name: &str, width: usize) {
        self.push(11, &described(name, &[1, width]));
        self.inputs.push((name.to_owned(), vec![1, width]));
    }

    fn output(&mut self, name: &str, width: usize) {
        self.outputs.push((name.to_owned(), width));
    }

    fn split(&mut self, x: &str, outputs: &[&str], width: usize) {
        let sizes: Vec<u8> = outputs.iter().flat_map(|_| (width as i64).to_le_bytes()).collect();
        let name = format!("{x}.sizes");
        self.stored(&name, 7, &[outputs.len()], &sizes);
        self.node("Split", &[x, &name], outputs, &[("axis", 1)]);
    }

    /// One step of the band's network, the state going in and coming out: the trunk, and each head of each
    /// part once. `values` are the tensors by name.
    pub(crate) fn band(config: &Config, values: &BTreeMap<String, Vec<f32>>) -> Self {
        let mut g = Self { message: Message::default(), inputs: vec![], outputs: vec![] };
        let shapes: BTreeMap<String, Vec<usize>> =
            config.tensors().into_iter().map(|s| (s.name, s.shape)).collect();
        let rows = |name: &str| shapes[name][0];
        for (name, shape) in &shapes {
            // The rest are tables that heads look up, and what is computed once for a style.
            let once = name.starts_with("pattern.") || name.starts_with("trunk.style.");
            let layer = [".w", ".b", "lstm.wx", "lstm.wh"].iter().any(|end| name.ends_with(end));
            if layer && !once {
                let Some(values) = values.get(name) else { continue };
                let raw: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
                g.stored(name, 1, shape, &raw);
            }
        }
        g.input("x", shapes["trunk.in.w"][1]);
        g.input("style", config.input);
        g.input("h", config.hidden);
        g.input("c", config.hidden);
        g.product("x", "trunk.in.w", "trunk.in.b", "in");
        g.node("Add", &["in", "style"], &["styled"], &[]);
        g.node("Relu", &["styled"], &["units"], &[]);
        g.product("units", "lstm.wx", "lstm.b", "gates.x");
        g.product("h", "lstm.wh", "gates.x", "gates");
        g.split("gates", &["i", "f", "g", "o"], config.hidden);
        for (op, from, to) in [("Sigmoid", "i", "i1"), ("Sigmoid", "f", "f1"), ("Tanh", "g", "g1")] {
            g.node(op, &[from], &[to], &[]);
        }
        g.node("Sigmoid", &["o"], &["o1"], &[]);
        g.node("Mul", &["f1", "c"], &["kept"], &[]);
        g.node("Mul", &["i1", "g1"], &["added"], &[]);
        g.node("Add", &["kept", "added"], &["c.next"], &[]);
        g.node("Tanh", &["c.next"], &["c.tanh"], &[]);
        g.node("Mul", &["o1", "c.tanh"], &["h.next"], &[]);
        g.output("h.next", config.hidden);
        g.output("c.next", config.hidden);
        g.node("Concat", &["h.next", "units"], &["trunk"], &[("axis", 1)]);
        g.product("trunk", "early.w", "early.b", "early");
        g.output("early", rows("early.b"));
        g.product("trunk", "context.w", "", "contexts");
        let parts = ["drums", "bass", "guitar", "strings"];
        let contexts = parts.map(|p| format!("{p}.context"));
        g.split("contexts", &contexts.each_ref().map(String::as_str), config.context);
        for part in parts {
            let name = |what: &str| format!("{part}.{what}");
            let layer = |g: &mut Self, x: &str, layer: &str, out: &str| {
                g.product(&name(x), &name(&format!("{layer}.w")), &name(&format!("{layer}.b")), &name(out));
                rows(&name(&format!("{layer}.b")))
            };
            // What the parts before play.
            g.input(&name("now"), shapes[&name("extra.w")][1]);
            layer(&mut g, "now", "extra", "extra");
            g.node("Add", &[&name("extra"), &name("context")], &[&name("sum")], &[]);
            g.node("Relu", &[&name("sum")], &[&name("seen")], &[]);
            let width = layer(&mut g, "seen", "out", "out");
            g.output(&name("out"), width);
            if part != "drums" {
                layer(&mut g, "seen", "pitch.in", "pitch");
                g.node("Relu", &[&name("pitch")], &[&name("pitched")], &[]);
                let width = layer(&mut g, "pitched", "pitch.out", "coefficients");
                g.output(&name("coefficients"), width);
            }
        }
        g
    }

    /// The file.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let graph = Message(self.message.0.clone()).text(2, "network");
        let graph =
            self.outputs.iter().fold(graph, |g, (name, width)| g.message(12, &described(name, &[1, *width])));
        let set = Message::default().text(1, "").int(2, 13);
        Message::default().int(1, 8).message(8, &set).message(7, &graph).0
    }
}
