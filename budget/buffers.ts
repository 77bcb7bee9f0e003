/** Sizes in KiB of what nginx and its system keep for one connection or request, and how many of each. nginx.conf has the same. */
export const buffers = {
  /** `client_header_buffer_size`, and `large_client_header_buffers`. */
  head: 1,
  largeHeads: 2,
  largeHead: 7,
  /** `client_body_buffer_size`. */
  body: 16,
  /** `proxy_buffer_size`, and `proxy_buffers`. */
  answerHead: 16,
  answers: 4,
  answer: 8,
  /** `gzip_window` and `gzip_hash`, and `gzip_buffers`. */
  gzipWindow: 8,
  gzipOutputs: 4,
  gzipOutput: 8,
  /** `sndbuf` and `rcvbuf` of `listen`, of which Linux takes twice as much. */
  socketSend: 64,
  socketReceive: 64,
} as const;
