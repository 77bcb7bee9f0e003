import express, { type Express } from 'express';
import helmet from 'helmet';
import { invoices } from './invoices/router.js';

export function createApp(): Express {
  const app = express();
  app.use(helmet());
  app.get('/health', (_request, response) => {
    response.json({ status: 'ok' });
  });
  app.use('/api/v1/invoices', invoices);
  return app;
}
