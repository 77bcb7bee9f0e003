import { Controller, Get, Post } from '@nestjs/common';

@Controller('payments')
export class PaymentsController {
  @Get('status')
  status() {
    return 'paid';
  }

  @Post()
  pay() {
    return {};
  }
}
