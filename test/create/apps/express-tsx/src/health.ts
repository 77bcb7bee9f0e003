import { Router } from 'express';

export const health = Router();
health.get('/live', (_request, response) => void response.sendStatus(204));
health.get('/ready', (_request, response) => void response.sendStatus(204));
health.get('/', (_request, response) => void response.json({ status: 'ok' }));
