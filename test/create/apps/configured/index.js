const config = require('config');
const express = require('express');

const app = express();
app.get(config.get('health.path'), (req, res) => res.send('ok'));
app.listen(config.get('server.port'));
