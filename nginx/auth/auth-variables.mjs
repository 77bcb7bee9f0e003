// What nginx has no variables for: they are functions of others that it has, made when a request needs them.

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/**
 * "1" if TLS has verified the certificate of the client, and it has not expired since: nginx looks at it in a handshake alone, while a
 * session is resumed, and a connection lasts, beyond its end.
 */
function certificateIsValid(r) {
  if (r.variables.ssl_client_verify !== 'SUCCESS') return '';
  return Date.now() < endOf(r.variables.ssl_client_v_end) ? '1' : '';
}

/** In milliseconds, as OpenSSL writes it: "Nov  5 23:06:34 2026 GMT". NaN for anything else, which nothing is less than. */
function endOf(text) {
  const parts = /^([A-Z][a-z][a-z]) +(\d+) (\d+):(\d+):(\d+)(?:\.\d+)? (\d+) GMT$/.exec(text);
  if (parts === null || months.indexOf(parts[1]) < 0) return NaN;
  return Date.UTC(
    Number(parts[6]),
    months.indexOf(parts[1]),
    Number(parts[2]),
    Number(parts[3]),
    Number(parts[4]),
    Number(parts[5]),
  );
}

/** The path and the query that were asked for, as they stand in an argument of another query. */
function encodedRequestUri(r) {
  return encodeURIComponent(r.variables.request_uri);
}

export default { certificateIsValid, encodedRequestUri };
