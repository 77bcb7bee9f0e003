var express = require('express');
var router = express.Router();

router.get('/', function (req, res, next) {
  res.send('respond with a resource');
});
router.get('/:id/status', function (req, res, next) {
  res.send('active');
});

module.exports = router;
