import { Router } from 'express';
import { healthRouter } from './health.js';
import products from './products.js';

const router = Router();
router.use('/products', products);
router.use(healthRouter);

export default router;
