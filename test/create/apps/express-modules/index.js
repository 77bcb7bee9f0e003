import 'dotenv/config';
import express from 'express';
import api from './routes/index.js';

const { PORT = 4000, LOG_LEVEL = 'info' } = process.env;
const app = express();

// Was: app.get('/health', (req, res) => res.send('ok'));
app.use(express.json());
app.use('/api', api);

app.listen(PORT, () => console.log(`up on ${PORT} (${LOG_LEVEL})`));
