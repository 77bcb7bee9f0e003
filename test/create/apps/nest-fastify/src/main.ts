import { VersioningType } from '@nestjs/common';
import { ConfigService } from '@nestjs/config';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppModule } from './app.module';

async function bootstrap(): Promise<void> {
  const app = await NestFactory.create<NestFastifyApplication>(AppModule, new FastifyAdapter({ trustProxy: 1 }));
  app.setGlobalPrefix('payments', { exclude: ['livez', 'readyz'] });
  app.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' });
  const config = app.get(ConfigService);
  await app.listen(config.get<number>('PORT', 5005), '0.0.0.0');
}
void bootstrap();
