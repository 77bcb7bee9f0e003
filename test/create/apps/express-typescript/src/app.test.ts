import request from 'supertest';
import { createApp } from './app.js';

test('answers', () => request(createApp()).get('/healthz').expect(404));
