/**
 * With which credentials an image was pulled (upstream: `ImagePullCredentials` of the kubelet, of the gate
 * KubeletEnsureSecretPulledImages). A Pod with other credentials must not use an image only because an earlier Pod has
 * pulled it; the node agent decides by this record whether the registry must be asked again.
 */
export interface PullAccess {
	/** The image was pulled anonymously, or with credentials of the node itself: every Pod may use it. */
	readonly everyPod: boolean;
	readonly secrets: readonly SecretOfPull[];
	readonly serviceAccounts: readonly IdentityOfPull[];
}

/** An object of the API from which credentials came. */
export interface IdentityOfPull {
	readonly uid: string;
	readonly namespace: string;
	readonly name: string;
}

/** A Secret, with a hash of the credentials in it that were used. */
export interface SecretOfPull extends IdentityOfPull {
	readonly credentialHash: string;
}

/** The access after a further pull of the same image. Once every Pod may use it, credentials no longer matter. */
export function mergeAccess(earlier: PullAccess | undefined, later: PullAccess): PullAccess {
	if (later.everyPod || earlier?.everyPod) return { everyPod: true, secrets: [], serviceAccounts: [] };
	return {
		everyPod: false,
		secrets: merged(earlier?.secrets ?? [], later.secrets),
		serviceAccounts: merged(earlier?.serviceAccounts ?? [], later.serviceAccounts),
	};
}

/** A later record of the same object replaces the earlier one. */
function merged<T extends IdentityOfPull>(earlier: readonly T[], later: readonly T[]): readonly T[] {
	const keyOf = ({ uid, namespace, name }: T): string => `${uid}/${namespace}/${name}`;
	return [...new Map([...earlier, ...later].map((each) => [keyOf(each), each])).values()];
}
