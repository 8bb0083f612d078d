/** The values of a Pod's inputs, which needs.ts lists. The node agent fetches them; plan/pod/config uses them. */

/** The kinds of objects whose data a container or volume can take. */
export type DataKind = 'configMap' | 'secret';

/** The data of a ConfigMap (binaryData included) or Secret, by key; for a token, the key is {@link TOKEN_KEY}. */
export type InputData = ReadonlyMap<string, Uint8Array>;

/** The key of a service account token in its data. */
export const TOKEN_KEY = 'token';

/** A volume that the node has set up. */
export interface PreparedVolume {
	/** Where it is on the host: a directory or file, or a block device. */
	readonly hostPath: string;
	/** If true, every mount of it is read-only. */
	readonly readOnly: boolean;
}

/** The values of all inputs that one container takes. An object that does not exist is absent. */
export interface InputValues {
	/** By {@link needKey}. */
	readonly data: ReadonlyMap<string, InputData>;
	/** By the volume's name. */
	readonly volumes: ReadonlyMap<string, PreparedVolume>;
}

/** An object with data, as {@link InputValues} identifies it. */
export type DataReference =
	| { readonly kind: DataKind; readonly name: string }
	| { readonly kind: 'serviceAccountToken'; readonly audience: string; readonly expirationSeconds: number };

/** The key of an object in {@link InputValues}. */
export function needKey(need: DataReference): string {
	if (need.kind !== 'serviceAccountToken') return `${need.kind}/${need.name}`;
	return `${need.kind}/${need.expirationSeconds}/${need.audience}`;
}

/**
 * A value that a container or volume requires is missing. The container waits with CreateContainerConfigError, or the
 * Pod with an event FailedMount; the message is upstream's.
 */
export class InputError extends Error {
	override readonly name = 'InputError';
}

/** Upstream's message about an object that does not exist. */
export function notFoundText(kind: DataKind, name: string): string {
	return `${kind === 'configMap' ? 'configmap' : 'secret'} "${name}" not found`;
}
