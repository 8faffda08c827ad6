// undici's own index loads fetch, WebSocket, caches and mocks as well: half of the code that the operator would start with,
// and 11 MB of memory. Only what is used here is loaded; kubeconfigs, which need the rest, load it with their library.
import methods from 'undici/lib/api/index.js';
import Agent from 'undici/lib/dispatcher/agent.js';
import Dispatcher from 'undici/lib/dispatcher/dispatcher.js';
import ProxyAgent from 'undici/lib/dispatcher/proxy-agent.js';
import DecoratorHandler from 'undici/lib/handler/decorator-handler.js';

// As undici's index does: `request` and its like become methods of every dispatcher.
Object.assign(Dispatcher.prototype, methods);

export { Agent, DecoratorHandler, ProxyAgent };
