module.exports = globalThis.loadedOnce('cdk8s');
