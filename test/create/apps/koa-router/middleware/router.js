const Router = require('@koa/router');

const router = new Router({ prefix: '/v1' });
router.get('/orders', (ctx) => {
  ctx.body = [];
});
router.get('/healthcheck', (ctx) => {
  ctx.body = 'ok';
});

module.exports = { router };
