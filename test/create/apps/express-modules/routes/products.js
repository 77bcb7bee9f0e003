import { Router } from 'express';
import axios from 'axios';

const router = Router();
router.get('/', async (req, res) => {
  const stock = await axios.get('/health/stock');
  res.json(stock.data);
});
router.get('/:id', (req, res) => res.json({ id: req.params.id }));

export default router;
