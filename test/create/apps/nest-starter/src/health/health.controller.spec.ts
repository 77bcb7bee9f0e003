describe('HealthController', () => {});
