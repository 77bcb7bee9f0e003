import { z } from 'zod';

export const environment = z
  .object({
    DATABASE_URL: z.string().url(),
    PORT: z.coerce.number().int().default(5000),
  })
  .parse(process.env);
