import { Controller, Get, VERSION_NEUTRAL } from '@nestjs/common';

@Controller({ version: VERSION_NEUTRAL })
export class ProbesController {
  @Get('livez')
  live() {
    return 'ok';
  }

  @Get('readyz')
  ready() {
    return 'ok';
  }
}
