/**
 * What a new Pod gets from its ServiceAccount, and why it may be refused. Upstream: the admission plugin
 * ServiceAccount in plugin/pkg/admission/serviceaccount, with its messages.
 */

import type { Container, Pod, PodSpec, Volume, VolumeMount } from '../../api/core/pod/schema.ts';
import { DEFAULT_ACCOUNT, ENFORCE_MOUNTABLE_SECRETS } from '../../api/core/serviceaccount/definition.ts';
import type { ServiceAccount } from '../../api/core/serviceaccount/schema.ts';
import { ROOT_CERTIFICATE_MAP } from '../namespace/namespace-objects.ts';
import { POD_TOKEN_SECONDS } from './token-claims.ts';

/** The prefix of the volume with the token; five random characters follow. */
export const TOKEN_VOLUME_PREFIX = 'kube-api-access-';

const TOKEN_MOUNT_PATH = '/var/run/secrets/kubernetes.io/serviceaccount';

/** The annotation of Pods that show a kubelet's static Pods in the API. */
const MIRROR = 'kubernetes.io/config.mirror';

/** Whether the Pod shows a static Pod of a kubelet: it has no ServiceAccount, and is not changed. */
export function isMirrorPod({ metadata }: Pod): boolean {
	return metadata.annotations?.[MIRROR] !== undefined;
}

/** The name of the Pod's ServiceAccount. */
export function accountNameOf({ spec }: Pod): string {
	return spec.serviceAccountName || DEFAULT_ACCOUNT;
}

/** What {@link withAccount} adds. */
export interface AccountSetup {
	/** The account; undefined if it does not exist yet. */
	readonly account: ServiceAccount | undefined;
	/** The name for a new volume with the token; undefined if Pods get no token. */
	readonly volumeName: string | undefined;
}

/**
 * The Pod with the name of its account, the account's image pull secrets if it has none, and the volume with
 * the token unless Pod or account opts out.
 */
export function withAccount(pod: Pod, { account, volumeName }: AccountSetup): Pod {
	const { spec } = pod;
	const pullSecrets = account?.imagePullSecrets ?? [];
	const getsSecrets = (spec.imagePullSecrets ?? []).length === 0 && pullSecrets.length > 0;
	const named: PodSpec = {
		...spec,
		...(!spec.serviceAccountName && { serviceAccountName: DEFAULT_ACCOUNT, serviceAccount: DEFAULT_ACCOUNT }),
		...(getsSecrets && { imagePullSecrets: pullSecrets.map(({ name }) => (name ? { name } : {})) }),
	};
	const mounts = spec.automountServiceAccountToken ?? account?.automountServiceAccountToken ?? true;
	return { ...pod, spec: volumeName !== undefined && mounts ? withToken(named, volumeName) : named };
}

/** Mounts the token in each container that has nothing at its path, and adds the volume if one does. */
function withToken(spec: PodSpec, newName: string): PodSpec {
	const { volumes = [], containers, initContainers } = spec;
	const known = volumes.find(({ name }) => name.startsWith(TOKEN_VOLUME_PREFIX));
	const mount: VolumeMount = {
		name: known?.name ?? newName,
		readOnly: true,
		mountPath: TOKEN_MOUNT_PATH,
	};
	const all = [...(initContainers ?? []), ...containers];
	if (all.every(hasMount)) return spec;
	const mounted = (container: Container): Container =>
		hasMount(container)
			? container
			: { ...container, volumeMounts: [...(container.volumeMounts ?? []), mount] };
	return {
		...spec,
		...(!known && { volumes: [...volumes, tokenVolume(newName)] }),
		...(initContainers && { initContainers: initContainers.map(mounted) }),
		containers: containers.map(mounted),
	};
}

function hasMount({ volumeMounts = [] }: Container): boolean {
	return volumeMounts.some(({ mountPath }) => mountPath === TOKEN_MOUNT_PATH);
}

/** The token, the certificate to verify the API server with, and the namespace (`TokenVolumeSource`). */
function tokenVolume(name: string): Volume {
	const certificate = { key: 'ca.crt', path: 'ca.crt' };
	const namespace = { apiVersion: 'v1', fieldPath: 'metadata.namespace' };
	return {
		name,
		projected: {
			defaultMode: 0o644,
			sources: [
				{ serviceAccountToken: { path: 'token', expirationSeconds: POD_TOKEN_SECONDS } },
				{ configMap: { name: ROOT_CERTIFICATE_MAP, items: [certificate] } },
				{ downwardAPI: { items: [{ path: 'namespace', fieldRef: namespace }] } },
			],
		},
	};
}

/** Why a mirror Pod is refused; undefined if it is not: it must not use what belongs to an account. */
export function refusalOfMirrorPod({ spec }: Pod): string | undefined {
	const { serviceAccountName, imagePullSecrets = [], volumes = [] } = spec;
	if (serviceAccountName) return 'a mirror pod may not reference service accounts';
	const sources = volumes.flatMap(({ projected }) => projected?.sources ?? []);
	const usesSecrets =
		imagePullSecrets.length > 0 ||
		volumes.some(({ secret }) => secret !== undefined) ||
		sources.some(({ secret }) => secret !== undefined) ||
		usesOfSecrets(spec).length > 0;
	if (usesSecrets) return 'a mirror pod may not reference secrets';
	return sources.some(({ serviceAccountToken }) => serviceAccountToken !== undefined)
		? 'a mirror pod may not use ServiceAccountToken volume projections'
		: undefined;
}

/**
 * Why the Pod is refused for a Secret that it uses; undefined if it is not. Only accounts with the deprecated
 * annotation limit their Pods to the Secrets that they list.
 */
export function refusalBySecrets({ spec }: Pod, account: ServiceAccount): string | undefined {
	if (!isTrue(account.metadata.annotations?.[ENFORCE_MOUNTABLE_SECRETS])) return undefined;
	const { name = '', annotations: _annotations } = account.metadata;
	const because = `is not allowed because service account ${name} does not reference that`;
	const allowed = new Set(account.secrets?.map((secret) => secret.name));
	for (const { secret } of spec.volumes ?? []) {
		if (!secret || allowed.has(secret.secretName)) continue;
		return `volume with secret.secretName="${secret.secretName ?? ''}" ${because} secret`;
	}
	const used = usesOfSecrets(spec).find(({ secret }) => !allowed.has(secret));
	if (used) return `${used.where} referencing secret.secretName="${used.secret}" ${because} secret`;
	const pullSecrets = new Set(account.imagePullSecrets?.map((secret) => secret.name));
	const refused = (spec.imagePullSecrets ?? []).findIndex((secret) => !pullSecrets.has(secret.name));
	if (refused < 0) return undefined;
	const shown = spec.imagePullSecrets?.[refused]?.name ?? '';
	return `imagePullSecrets[${refused}].name="${shown}" ${because} imagePullSecret`;
}

/** A Secret whose values become variables of a container. */
interface SecretUse {
	readonly secret: string;
	/** The container and the field, as messages name them. */
	readonly where: string;
}

function usesOfSecrets({ initContainers = [], containers }: PodSpec): readonly SecretUse[] {
	return [
		...initContainers.flatMap((container) => usesIn(container, `init container ${container.name}`)),
		...containers.flatMap((container) => usesIn(container, `container ${container.name}`)),
	];
}

function usesIn({ env = [], envFrom = [] }: Container, what: string): readonly SecretUse[] {
	return [
		...env.flatMap(({ name, valueFrom }) => {
			const secret = valueFrom?.secretKeyRef;
			return secret ? [{ secret: secret.name ?? '', where: `${what} with envVar ${name}` }] : [];
		}),
		...envFrom.flatMap(({ secretRef }) =>
			secretRef ? [{ secret: secretRef.name ?? '', where: `${what} with envFrom` }] : [],
		),
	];
}

/** The texts that Go's `strconv.ParseBool` takes for true. */
function isTrue(text: string | undefined): boolean {
	return ['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text ?? '');
}
