import type { Dispatcher } from 'undici';
import { DecoratorHandler } from '../undici.ts';

/**
 * For `Dispatcher.compose`: asks right before a request's first byte is sent, after all waiting, also for a connection. When `check` throws,
 * nothing is sent, and the request rejects with what it threw.
 */
export function beforeSending(check: () => void): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => (options, handler) => dispatch(options, new Checked(handler, check));
}

class Checked extends DecoratorHandler {
  readonly #check: () => void;

  constructor(handler: Dispatcher.DispatchHandler, check: () => void) {
    super(handler);
    this.#check = check;
  }

  override onRequestStart(controller: Dispatcher.DispatchController, context: unknown): void {
    this.#check();
    super.onRequestStart(controller, context);
  }
}
