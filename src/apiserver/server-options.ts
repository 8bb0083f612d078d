import type { NodeApi } from '../api/contract/node-api.ts';
import type { ResourceDefinition } from '../api/contract/resource-definition.ts';
import type { RuntimeTraits } from '../api/contract/runtime-traits.ts';
import type { Clock } from '../base/clock.ts';
import type { Metrics } from '../base/metrics.ts';
import type { Random } from '../base/random.ts';
import type { TurnBudget } from '../base/turn.ts';
import type { AddressRange } from '../plan/services/allocation/ranges.ts';
import type { Store } from '../store/store.ts';
import type { Authorizer } from './access/authorizer.ts';
import { Admission, type AdmissionPlugin } from './admission/admission.ts';
import { NamespaceLifecycle } from './admission/namespace-lifecycle.ts';
import { PodAccount } from './admission/pod-account.ts';
import { PodFields } from './admission/pod-fields.ts';
import { PodPriority } from './admission/pod-priority.ts';
import { PodTolerations } from './admission/pod-tolerations.ts';
import { PriorityClasses, PriorityClassRules } from './admission/priority-classes.ts';
import { PrivilegedContainers } from './admission/privileged-containers.ts';
import { RuntimeClassRules } from './admission/runtime-classes.ts';
import { StorageObjects } from './admission/storage-objects.ts';
import type { ObjectCache } from './storage/object-cache.ts';
import type { Compression } from './storage/value-pages.ts';

/** Options of an {@link ApiServer}. */
export interface ApiServerOptions {
	/** The caller owns the store and closes it after the server. */
	readonly store: Store;
	/** The resources to serve. */
	readonly resources: readonly ResourceDefinition[];
	readonly clock: Clock;
	readonly random: Random;
	/** Returns the node agent of a Node, for the logs of its Pods; undefined if it is not connected. */
	readonly nodeApi?: (nodeName: string) => NodeApi | undefined;
	/**
	 * Returns what the container runtime supports, for warnings about fields; undefined while no runtime is
	 * registered.
	 */
	readonly runtimeTraits?: () => RuntimeTraits | undefined;
	/** Decides which requests are allowed. Default: {@link BOOTSTRAP_AUTHORIZER}. */
	readonly authorizer?: Authorizer;
	/** Admission plugins. In each phase they are called before the server's own, which check the latest state. */
	readonly admissionPlugins?: readonly AdmissionPlugin[];
	/**
	 * Whether new Pods get a volume with a token of their ServiceAccount: only if the runtime can mount volumes. Requests
	 * that create Pods wait until it is known. Default: false.
	 */
	readonly mountTokens?: boolean | Promise<boolean>;
	/** Whether Pods may have privileged containers. Default: false. */
	readonly allowPrivileged?: boolean;
	/** The addresses of Services. Default: {@link DEFAULT_SERVICE_RANGE}. */
	readonly serviceRange?: AddressRange;
	/** The registry that `/metrics` serves; the server adds its own metrics to it. */
	readonly metrics: Metrics;
	/**
	 * Delete stored values that cannot be decoded. By default {@link ApiServer.start} rejects with an error
	 * that names their keys.
	 */
	readonly discardDamaged?: boolean;
	/**
	 * Limits how long callers in this process may write in one event loop turn, so that a controller does not
	 * create 60 Pods of a megabyte each in one turn. Default: no limit.
	 */
	readonly turn?: TurnBudget;
	/** Loads the compression for the values of unchanged objects. Default: values are not compressed. */
	readonly loadCompression?: () => Promise<Compression>;
	/**
	 * The file with the key that signs the tokens of ServiceAccounts; it is made when it is needed. By default the
	 * key is only in memory.
	 */
	readonly signingKeyPath?: string;
	/** Returns the URL at which clients reach the server, for the OpenID documents; undefined if there is none. */
	readonly url?: () => string | undefined;
	/** Version of stint, for `/version`. */
	readonly version: string;
	/** Called with unexpected errors, which are logged; `where` names the component. */
	readonly onError: (where: string, error: unknown) => void;
	/**
	 * Called when the store stops reporting its changes. From then on the server answers every request for a
	 * resource with 503.
	 */
	readonly onStoreLost?: (error: Error) => void;
}

/** The admission stage with the plugins of the options and the server's own. */
export function admissionOf(cache: ObjectCache, options: ApiServerOptions): Admission {
	const { runtimeTraits = () => undefined, admissionPlugins = [], random } = options;
	const { mountTokens = false, allowPrivileged = false } = options;
	const classes = new PriorityClasses(cache);
	return new Admission([
		...admissionPlugins,
		new NamespaceLifecycle(cache),
		new PodAccount({ cache, random, mountTokens }),
		new PodTolerations(),
		new RuntimeClassRules(cache),
		new PodPriority(classes),
		new PriorityClassRules(classes),
		new StorageObjects(cache, options.clock),
		...(allowPrivileged ? [] : [new PrivilegedContainers()]),
		new PodFields(runtimeTraits),
	]);
}
