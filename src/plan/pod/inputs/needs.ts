import { DEFAULT_TOKEN_SECONDS } from '../../../api/authentication/token-request.ts';
import type { Container, Pod, Volume } from '../../../api/core/pod/schema.ts';
import { approximate } from '../../../base/json/json.ts';
import { claimOf } from './claimed-volume.ts';
import type { DataKind } from './values.ts';

/**
 * The inputs of a Pod: the objects and volumes that its containers need beside its own spec. The node agent provides
 * them between the admission of the Pod and the start of a container: volumes before the sandbox is created, as the
 * kubelet's `WaitForAttachAndMount`, and the objects of a container's variables when it is started.
 *
 * Read in this order: needs.ts (what is needed), values.ts (what was found), volume-set-up.ts (what a volume is made
 * of), claimed-volume.ts (the storage behind a claim), then ../config (how the values reach the container).
 */

/** The part of the Pod that needs an input. */
export type InputUser =
	| { readonly kind: 'container'; readonly name: string }
	| { readonly kind: 'volume'; readonly name: string };

/** One input and its user. An optional one may be missing. */
export type InputNeed = { readonly user: InputUser } & (
	| { readonly kind: DataKind; readonly name: string; readonly optional: boolean }
	| {
			readonly kind: 'serviceAccountToken';
			readonly serviceAccount: string;
			/** Empty: the API server. */
			readonly audience: string;
			readonly expirationSeconds: number;
	  }
	| { readonly kind: 'persistentVolumeClaim'; readonly name: string }
);

/** The objects that the variables of a container need. */
export function containerInputs({
	name: container,
	env = [],
	envFrom = [],
}: Container): readonly InputNeed[] {
	const user = { kind: 'container', name: container } as const;
	const need = (kind: DataKind, reference: Reference): InputNeed => dataNeed(user, kind, reference);
	return [
		...envFrom.flatMap(({ configMapRef, secretRef }) => [
			...(configMapRef ? [need('configMap', configMapRef)] : []),
			...(secretRef ? [need('secret', secretRef)] : []),
		]),
		...env.flatMap(({ valueFrom: { configMapKeyRef, secretKeyRef } = {} }) => [
			...(configMapKeyRef ? [need('configMap', configMapKeyRef)] : []),
			...(secretKeyRef ? [need('secret', secretKeyRef)] : []),
		]),
	];
}

/** The environment files that the variables of a container need. */
export function envFilesOf({
	env = [],
}: Container): readonly { readonly volumeName: string; readonly path: string }[] {
	return env.flatMap(({ valueFrom: { fileKeyRef } = {} }) => (fileKeyRef ? [fileKeyRef] : []));
}

/** Every input that the Pod needs: those of its mounted volumes and of all its containers. */
export function podInputs(pod: Pod): readonly InputNeed[] {
	return [
		...mountedVolumesOf(pod).flatMap((volume) => volumeInputs(pod, volume)),
		...containersOf(pod).flatMap(containerInputs),
	];
}

interface Reference {
	readonly name?: string;
	readonly optional?: boolean;
}

function dataNeed(
	user: InputNeed['user'],
	kind: DataKind,
	{ name = '', optional = false }: Reference,
): InputNeed {
	return { user, kind, name, optional };
}

/** The objects that a volume needs; none for one that is made of the node's own resources or of the Pod. */
export function volumeInputs(pod: Pod, volume: Volume): readonly InputNeed[] {
	const { configMap, secret, projected } = volume;
	const user = { kind: 'volume', name: volume.name } as const;
	const data = (kind: DataKind, reference: Reference): InputNeed => dataNeed(user, kind, reference);
	if (configMap) return [data('configMap', configMap)];
	if (secret) return [data('secret', { ...secret, name: secret.secretName ?? '' })];
	const claim = claimOf(pod, volume);
	if (claim) return [{ user, kind: 'persistentVolumeClaim', name: claim.name }];
	return (projected?.sources ?? []).flatMap((source): readonly InputNeed[] => {
		if (source.configMap) return [data('configMap', source.configMap)];
		if (source.secret) return [data('secret', source.secret)];
		if (!source.serviceAccountToken) return [];
		const { audience = '', expirationSeconds = DEFAULT_TOKEN_SECONDS } = source.serviceAccountToken;
		const serviceAccount = pod.spec.serviceAccountName || 'default';
		return [
			{
				user,
				kind: 'serviceAccountToken',
				serviceAccount,
				audience,
				expirationSeconds: approximate(expirationSeconds),
			},
		];
	});
}

/** The volumes that a container mounts, in the order of the Pod. The kubelet sets up no others. */
export function mountedVolumesOf(pod: Pod): readonly Volume[] {
	const { volumes = [] } = pod.spec;
	if (volumes.length === 0) return [];
	const mounted = new Set(
		containersOf(pod).flatMap(({ volumeMounts = [], volumeDevices = [] }) =>
			[...volumeMounts, ...volumeDevices].map(({ name }) => name),
		),
	);
	return volumes.filter(({ name }) => mounted.has(name));
}

/** All containers. Ephemeral ones may come when the Pod is running, with further needs. */
function containersOf({
	spec: { initContainers = [], containers, ephemeralContainers = [] },
}: Pod): readonly Container[] {
	return [...initContainers, ...containers, ...ephemeralContainers];
}
