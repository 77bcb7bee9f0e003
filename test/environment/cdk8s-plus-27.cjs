module.exports = globalThis.loadedOnce('cdk8s-plus-27');
