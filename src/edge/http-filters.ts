import { authCluster, authFilter, authPool, type AuthPool } from './auth-service.ts';
import { Frozen, type Compilation } from './compilation.ts';
import { addGlobalClusters, globalServices, rateLimitFilter, type GlobalServices } from './global-services.ts';
import { isNotSeconds, moduleFilters, type AmbassadorModule } from './module.ts';
import { valueAt } from './spec.ts';
import type { Clusters } from './clusters.ts';
import type { Freeze, HttpFilter } from './model.ts';

/** The filters that every request passes, beyond cors and router: the Module's, authentication, rate limits. */
export class HttpFilters {
  readonly #compilation: Compilation;
  readonly #module: AmbassadorModule;
  readonly #ofModule: readonly HttpFilter[];
  readonly #services: GlobalServices;
  readonly #auth: AuthPool | undefined;
  #authFreeze: Freeze | undefined;

  constructor(compilation: Compilation, module: AmbassadorModule) {
    this.#compilation = compilation;
    this.#module = module;
    this.#ofModule = moduleFilters(module, compilation);
    this.#services = globalServices(compilation);
    this.#auth = authPool(compilation, module);
  }

  /** The clusters of their services. They come before those of the Mappings: a Mapping to the same service gets their settings. */
  addClusters(clusters: Clusters): void {
    addGlobalClusters(this.#services, clusters);
    if (this.#auth) this.#authFreeze = authCluster(this.#auth, clusters, this.#compilation);
  }

  /** As an HTTP Listener gets them, which is where the compiler stumbles over what cannot be written. */
  ofListener(): HttpFilter[] {
    if (this.#authFreeze) throw new Frozen(this.#authFreeze);
    const { config, policy } = this.#module;
    if (isNotSeconds(valueAt(config, 'listener_idle_timeout_ms'))) {
      throw new Frozen({
        stage: 'envoy',
        message: 'Module ambassador: listener_idle_timeout_ms is not a number',
        policy,
      });
    }
    const { rateLimit } = this.#services;
    return [
      ...this.#ofModule,
      ...(this.#auth ? [authFilter(this.#auth, this.#compilation)] : []),
      ...(rateLimit ? [rateLimitFilter(rateLimit)] : []),
    ];
  }
}
