module.exports = globalThis.loadedOnce('constructs');
