import { Router } from 'express';

export const invoices = Router();
invoices.get('/', (_request, response) => {
  response.json([]);
});
invoices.get('/status', (_request, response) => {
  response.json({ open: 3 });
});
