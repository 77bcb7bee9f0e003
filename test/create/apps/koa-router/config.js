module.exports = {
  port: parseInt(process.env.PORT, 10) || 7000,
  redis: process.env.REDIS_URL,
};
