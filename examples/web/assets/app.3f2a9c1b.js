document.body.textContent = `This is ${location.pathname}`;
