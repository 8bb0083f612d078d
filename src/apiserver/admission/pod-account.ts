import { isPod } from '../../api/core/pod/is-pod.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { DEFAULT_ACCOUNT, serviceAccounts } from '../../api/core/serviceaccount/definition.ts';
import type { ServiceAccount } from '../../api/core/serviceaccount/schema.ts';
import { nameSuffix } from '../../api/meta/names.ts';
import type { Random } from '../../base/random.ts';
import {
	accountNameOf,
	isMirrorPod,
	refusalBySecrets,
	refusalOfMirrorPod,
	TOKEN_VOLUME_PREFIX,
	withAccount,
} from '../../plan/service-account/pod-account.ts';
import { cachedObject } from '../storage/cached-objects.ts';
import type { ObjectCache } from '../storage/object-cache.ts';
import type { AdmissionAttributes, AdmissionPlugin } from './admission.ts';
import { refusedByAdmission } from './refusal.ts';

/** Dependencies of {@link PodAccount}. */
export interface PodAccountOptions {
	readonly cache: ObjectCache;
	readonly random: Random;
	/** Whether Pods get a volume with a token of their account. A promise never rejects. */
	readonly mountTokens: boolean | Promise<boolean>;
}

/**
 * Gives each new Pod its ServiceAccount, which must exist, and what follows from it (upstream: the
 * ServiceAccount plugin). The rules are in plan/service-account.
 *
 * The account `default` counts as existing in every namespace: a controller creates it, at once. Upstream lets
 * the request wait for that instead, for up to two seconds, and then refuses it.
 */
export class PodAccount implements AdmissionPlugin {
	readonly mutation: AdmissionPlugin['mutation'] = {
		operations: ['CREATE'],
		admit: (attributes) => {
			const { object, subresource } = attributes;
			if (subresource !== '' || !isPod(object) || isMirrorPod(object)) return object;
			if (typeof this.#mounts === 'boolean') return this.#withAccount(attributes, object, this.#mounts);
			return this.#mounts.then((mounts) => this.#withAccount(attributes, object, mounts));
		},
	};
	readonly validation: AdmissionPlugin['validation'] = {
		operations: ['CREATE'],
		admit: (attributes) => {
			const { object, subresource } = attributes;
			if (subresource === '' && object && isPod(object)) this.#check(attributes, object);
		},
	};
	readonly #options: PodAccountOptions;

	/** Whether Pods get a token, once that is known. */
	#mounts: boolean | Promise<boolean>;

	constructor(options: PodAccountOptions) {
		this.#options = options;
		this.#mounts = options.mountTokens;
		if (typeof this.#mounts === 'boolean') return;
		// Requests wait only until it is known: see rule 5 in admission.ts.
		void this.#mounts.then((mounts) => {
			this.#mounts = mounts;
		});
	}

	#withAccount(attributes: AdmissionAttributes, pod: Pod, mounts: boolean): Pod {
		const account = this.#accountOf(attributes, pod);
		const volumeName = mounts ? TOKEN_VOLUME_PREFIX + nameSuffix(this.#options.random) : undefined;
		return withAccount(pod, { account, volumeName });
	}

	#check(attributes: AdmissionAttributes, pod: Pod): void {
		if (isMirrorPod(pod)) refuse(attributes, refusalOfMirrorPod(pod));
		else {
			const account = this.#accountOf(attributes, pod);
			if (account) refuse(attributes, refusalBySecrets(pod, account));
		}
	}

	/** The account of the Pod; undefined if it is the default one and does not exist yet. Throws Forbidden. */
	#accountOf(attributes: AdmissionAttributes, pod: Pod): ServiceAccount | undefined {
		const name = accountNameOf(pod);
		const { namespace } = attributes;
		const found = cachedObject(this.#options.cache, serviceAccounts, { namespace, name });
		if (found) return found;
		if (name === DEFAULT_ACCOUNT) return undefined;
		const text = `error looking up service account ${namespace}/${name}: serviceaccount "${name}" not found`;
		return refuse(attributes, text);
	}
}

/** Throws Forbidden for a reason. */
function refuse(attributes: AdmissionAttributes, reason: string | undefined): undefined {
	if (reason === undefined) return undefined;
	throw refusedByAdmission(attributes, reason);
}
