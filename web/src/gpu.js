/** The runtime that computes on graphics cards, a file of its own: few visitors load it. */
export * from "onnxruntime-web/jspi";
