/* global ngx */

/** Runs in nginx beside metrics.mjs: says what was counted, in Prometheus' text format or as OpenMetrics. */

/** All of it, a line each. */
function lines(model, counts, variables, { isOpen, hasPeers }) {
  const written = [];
  const write = (name, samples) => {
    writeFamily(written, name, model.families[name], samples, isOpen);
  };
  const ofRoutes = (group) => labelsOf(model.routeGroups[group]);
  const ofBackends = (group) => labelsOf(model.backendGroups[group]);
  write('fairlead_http_requests_total', requestSamples(model, counts));
  write('fairlead_http_request_duration_seconds', histogramSamples(model.buckets, counts.durations, ofRoutes));
  write(
    'fairlead_http_request_bytes_total',
    groupSamples(counts.bytes, ofRoutes, (bytes) => bytes[1]),
  );
  write(
    'fairlead_http_response_bytes_total',
    groupSamples(counts.bytes, ofRoutes, (bytes) => bytes[0]),
  );
  write('fairlead_upstream_connect_seconds', histogramSamples(model.buckets, counts.connects, ofBackends));
  write('fairlead_upstream_header_seconds', histogramSamples(model.buckets, counts.headers, ofBackends));
  write('fairlead_upstream_response_seconds', histogramSamples(model.buckets, counts.responses, ofBackends));
  write('fairlead_upstream_no_peer_total', zeroSamples(counts.noPeer, model.backendGroups));
  write('fairlead_retried_requests_total', retriedSamples(model, counts));
  write('fairlead_fallback_requests_total', zeroSamples(counts.fallback, model.backendGroups));
  write('fairlead_peer_requests_total', peerSamples(model, counts, 'tries'));
  write('fairlead_peer_failures_total', peerSamples(model, counts, 'failures'));
  write('fairlead_peer_response_seconds_total', peerSamples(model, counts, 'seconds'));
  if (hasPeers) {
    write('fairlead_peer_retried_total', peerSamples(model, counts, 'retried'));
    write('fairlead_peer_busy_seconds_total', peerSamples(model, counts, 'busy'));
    write('fairlead_peer_response_duration_seconds', peerHistograms(model, counts));
  }
  write(
    'fairlead_tls_connections_total',
    Object.keys(counts.tls).map((key) => [key.split(' '), counts.tls[key]]),
  );
  // Those of another nginx, which ends.
  if (variables.metrics_are_last !== 'yes') {
    write(
      'fairlead_connections',
      ['active', 'reading', 'writing', 'waiting'].map((state) => [
        [state],
        Number(variables['connections_' + state] || 0),
      ]),
    );
  }
  write('fairlead_connections_limit', [[[], model.limits.connections]]);
  write('fairlead_requests_limit', [[[], model.limits.requests]]);
  write(
    'fairlead_refused_total',
    Object.keys(counts.refused).map((limit) => [[limit], counts.refused[limit]]),
  );
  if (ngx.shared.certificate) writeCertificates(model, write);
  if (model.hasSpans && ngx.shared.spans) write('fairlead_spans_total', spanSamples());
  write('fairlead_configuration_info', [[[model.configuration, variables.nginx_version], 1]]);
  write('fairlead_metrics_series_limit', [[[], model.series]]);
  write('fairlead_metrics_folded_total', [[[], counts.folded]]);
  write('fairlead_metrics_lost_bytes_total', [[[], counts.lost]]);
  return written;
}

/** A sample is the values of its labels, its value, and of a histogram what stands behind the name and the upper bound. */
function writeFamily(lines, name, family, samples, isOpen) {
  if (samples.length === 0) return;
  const bare = family.type === 'counter' || family.type === 'info' ? name.replace(/_(total|info)$/, '') : name;
  const type = family.type === 'info' && !isOpen ? 'gauge' : family.type;
  lines.push('# HELP ' + (isOpen ? bare : name) + ' ' + family.help);
  lines.push('# TYPE ' + (isOpen ? bare : name) + ' ' + type);
  let labels;
  let written = '';
  samples.forEach((sample) => {
    // Those of a histogram have the same ones.
    if (sample[0] !== labels) {
      labels = sample[0];
      written = writtenLabels(family.labels, labels);
    }
    const bound =
      sample[3] === undefined ? '' : 'le="' + (isOpen && /^\d+$/.test(sample[3]) ? sample[3] + '.0' : sample[3]) + '"';
    const all = written + (written !== '' && bound !== '' ? ',' : '') + bound;
    lines.push(name + (sample[2] || '') + (all === '' ? '' : '{' + all + '}') + ' ' + sample[1]);
  });
}

function writtenLabels(names, values) {
  return names
    .map((name, index) => (values[index] === '' ? '' : name + '="' + escaped(values[index]) + '"'))
    .filter((label) => label !== '')
    .join(',');
}

function escaped(value) {
  return String(value).replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');
}

function labelsOf(group) {
  return Object.keys(group).map((label) => group[label]);
}

function requestSamples(model, counts) {
  return Object.keys(counts.requests).map((key) => {
    // A route may be called so too, and has more in its key.
    if (key.indexOf('folded') === 0 && key.indexOf(' ') < 0) {
      const code = /\d$/.test(key) ? key.slice(-1) + 'xx' : 'other';
      return [['other', 'other', '', '', 'other', code, ''], counts.requests[key]];
    }
    const fields = key.split(' ');
    const route = model.routes[fields[0]] || model.routes[''];
    const backend = model.backends[fields[1]] || { backend: '', version: '' };
    return [
      [route.host, route.route, backend.backend, backend.version, fields[2], fields[3], fields[4]],
      counts.requests[key],
    ];
  });
}

function histogramSamples(buckets, histograms, labelsOfKey) {
  const samples = [];
  Object.keys(histograms).forEach((key) => {
    const labels = labelsOfKey(key);
    const values = histograms[key];
    let sum = 0;
    buckets.concat(['+Inf']).forEach((bound, index) => {
      sum += values[index];
      samples.push([labels, sum, '_bucket', String(bound)]);
    });
    samples.push([labels, rounded(values[buckets.length + 1]), '_sum']);
    samples.push([labels, sum, '_count']);
  });
  return samples;
}

/** nginx knows times in ms. */
function rounded(seconds) {
  return Math.round(seconds * 1000) / 1000;
}

function groupSamples(table, labelsOfKey, value) {
  return Object.keys(table).map((key) => [labelsOfKey(key), value(table[key])]);
}

/** With 0 from the start: what was never seen has no rate. */
function zeroSamples(table, groups) {
  return Object.keys(groups).map((key) => [labelsOf(groups[key]), table[key] || 0]);
}

function retriedSamples(model, counts) {
  const samples = [];
  Object.keys(model.backendGroups).forEach((key) => {
    ['answered', 'failed'].forEach((outcome) => {
      const value = counts.retried[key + ' ' + outcome] || 0;
      samples.push([labelsOf(model.backendGroups[key]).concat([outcome]), value]);
    });
  });
  return samples;
}

function peerSamples(model, counts, field) {
  return Object.keys(counts.peers).map((key) => [peerLabels(model, key), rounded(counts.peers[key][field])]);
}

function peerHistograms(model, counts) {
  const histograms = {};
  Object.keys(counts.peers).forEach((key) => {
    if (counts.peers[key].durations !== undefined) histograms[key] = counts.peers[key].durations;
  });
  return histogramSamples(model.buckets, histograms, (key) => peerLabels(model, key));
}

function peerLabels(model, key) {
  if (key === 'other') return ['', '', 'other'];
  const at = key.indexOf(' ');
  const backend = model.backends[key.slice(0, at)];
  return [backend.backend, backend.version, key.slice(at + 1)];
}

/** What tracing.mjs knows. */
function spanSamples() {
  const state = ngx.shared.spans.get('state');
  const counts = state === undefined ? {} : JSON.parse(state);
  return ['sent', 'dropped'].map((outcome) => [[outcome], counts[outcome] || 0]);
}

/** What last-good-certificate.mjs knows; '' is that of the proxy. */
function writeCertificates(model, write) {
  const states = model.certificates.map((name) => {
    const state = ngx.shared.certificate.get(name === '' ? 'state' : 'state ' + name);
    return [[name === '' ? 'proxy' : name], state === undefined ? {} : JSON.parse(state)];
  });
  write(
    'fairlead_certificate_not_after_timestamp_seconds',
    states
      .filter((certificate) => certificate[1].served)
      .map((certificate) => [certificate[0], Date.parse(certificate[1].served.notAfter) / 1000]),
  );
  write(
    'fairlead_certificate_refused',
    states.map((certificate) => [certificate[0], certificate[1].refused ? 1 : 0]),
  );
}

export default { lines };
