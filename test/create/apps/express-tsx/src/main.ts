import express from 'express';
import { serve } from 'fairlead-serve';
import { environment } from './environment.ts';
import { health } from '@/health.ts';

const app = express();
app.use('/health', health);
serve(app, { port: environment.PORT });
