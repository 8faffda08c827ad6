import { authCluster, authFilter, authPool, type AuthPool } from './auth-service.ts';
import { Frozen, type Compilation } from './compilation.ts';
import {
  addGlobalClusters,
  globalServices,
  raiseForDriver,
  rateLimitFilter,
  type GlobalServices,
  type ServiceFreezes,
} from './global-services.ts';
import { checkForListener, moduleFilters } from './module-checks.ts';
import { raiseForRuntime } from './module-types.ts';
import type { AmbassadorModule } from './module.ts';
import type { Clusters } from './clusters.ts';
import { checkRateLimits } from './rate-limit-labels.ts';
import type { Freeze, HttpFilter, RouteGroup } from './model.ts';

/** The filters that every request passes, beyond cors and router: the Module's, authentication, rate limits. */
export class HttpFilters {
  readonly #compilation: Compilation;
  readonly #module: AmbassadorModule;
  readonly #ofModule: readonly HttpFilter[];
  readonly #services: GlobalServices;
  readonly #auth: AuthPool | undefined;
  #authFreeze: Freeze | undefined;
  #serviceFreezes: ServiceFreezes | undefined;

  constructor(compilation: Compilation, module: AmbassadorModule) {
    this.#compilation = compilation;
    this.#module = module;
    this.#ofModule = moduleFilters(module, compilation);
    this.#services = globalServices(compilation);
    this.#auth = authPool(compilation, module);
  }

  /** The clusters of their services. They come before those of the Mappings: a Mapping to the same service gets their settings. */
  addClusters(clusters: Clusters): void {
    this.#serviceFreezes = addGlobalClusters(this.#services, this.#auth?.key, clusters);
    if (this.#auth) this.#authFreeze = authCluster(this.#auth, clusters, this.#compilation);
  }

  /** A TracingService without a usable address is noticed when all clusters are known. */
  raiseForTracing(): void {
    if (this.#serviceFreezes?.tracing) throw new Frozen(this.#serviceFreezes.tracing);
  }

  /** The Module's runtime flags, tracing and rate limits are the first things that are written. */
  raiseForFirst(): void {
    raiseForRuntime(this.#module);
    raiseForDriver(this.#services);
    if (this.#serviceFreezes?.rateLimit) throw new Frozen(this.#serviceFreezes.rateLimit);
  }

  /** The labels that routes send to the RateLimitService in force. */
  checkRateLimits(groups: readonly RouteGroup[]): void {
    const { rateLimit } = this.#services;
    if (rateLimit) checkRateLimits(groups, rateLimit, this.#module, this.#compilation);
  }

  /** The bootstrap is written last, whether or not there is an HTTP Listener. */
  raiseForLog(): void {
    if (this.#serviceFreezes?.log) throw new Frozen(this.#serviceFreezes.log);
  }

  /** As an HTTP Listener gets them, which is where the compiler stumbles over what cannot be written. */
  ofListener(): HttpFilter[] {
    const freeze = this.#serviceFreezes?.log ?? this.#authFreeze;
    if (freeze) throw new Frozen(freeze);
    checkForListener(this.#module, this.#compilation);
    const { rateLimit } = this.#services;
    return [
      ...this.#ofModule,
      ...(this.#auth ? [authFilter(this.#auth, this.#compilation)] : []),
      ...(rateLimit ? [rateLimitFilter(rateLimit)] : []),
    ];
  }
}
