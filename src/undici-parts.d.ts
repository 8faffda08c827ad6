// The modules of undici that src/undici.ts loads one by one; it declares its types for the whole only.
declare module 'undici/lib/dispatcher/dispatcher.js' {
  export { Dispatcher as default } from 'undici';
}
declare module 'undici/lib/dispatcher/agent.js' {
  export { Agent as default } from 'undici';
}
declare module 'undici/lib/dispatcher/proxy-agent.js' {
  export { ProxyAgent as default } from 'undici';
}
declare module 'undici/lib/api/index.js' {
  const methods: object;
  export default methods;
}
declare module 'undici/lib/handler/decorator-handler.js' {
  import type { Dispatcher } from 'undici';
  /** Hands on what undici tells of one request. */
  export default class DecoratorHandler implements Dispatcher.DispatchHandler {
    constructor(handler: Dispatcher.DispatchHandler);
    onRequestStart(controller: Dispatcher.DispatchController, context: unknown): void;
  }
}
