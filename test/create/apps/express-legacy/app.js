const express = require('express')
const app = express()
const PORT = 8085

/*
 * app.get('/healthz', (req, res) => res.send('ok'))
 */
app.use('/healthcheck', require('express-healthcheck')())
app.get('/products', (req, res) => res.json([]))

app.listen(PORT, () => console.log('listening on ' + PORT))
