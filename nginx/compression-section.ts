import { buffers } from '../budget/buffers';
import { directive, heading, Node } from './directive';
import { ProxyModel } from './model';

const types = [
  'application/javascript',
  'application/json',
  'application/manifest+json',
  'application/problem+json',
  'application/xml',
  'image/svg+xml',
  'text/css',
  'text/csv',
  'text/plain',
  'text/xml',
];

/** text/html is always among the types, and text/event-stream must not be: it would wait in the compressor. */
export function compressionSection({ gzip }: ProxyModel): Node[] {
  if (!gzip) return [];
  return [
    heading('Compression'),
    directive('gzip on'),
    directive('gzip_min_length 1024', 'a smaller answer fits in one packet anyway'),
    directive('gzip_proxied any', 'also for clients behind a proxy of their own'),
    directive(`gzip_buffers ${buffers.gzipOutputs} ${buffers.gzipOutput}k`),
    directive(
      `gzip_window ${buffers.gzipWindow}k`,
      'a quarter of the memory of an answer that is not read, for some percent of its size',
    ),
    directive(`gzip_hash ${buffers.gzipWindow}k`),
    directive('gzip_vary on', 'caches keep both forms apart'),
    directive(`gzip_types ${types.join(' ')}`, 'text; images and archives are compressed already'),
  ];
}
