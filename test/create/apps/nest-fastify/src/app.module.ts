import { Module } from '@nestjs/common';
import { PaymentsController } from './payments.controller';
import { ProbesController } from './probes.controller';

@Module({ controllers: [PaymentsController, ProbesController] })
export class AppModule {}
