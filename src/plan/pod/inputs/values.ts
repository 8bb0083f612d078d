/** The values of a Pod's inputs, which needs.ts lists. The node agent fetches them; plan/pod/config uses them. */

/** The kinds of objects whose data a container or volume can take. */
export type DataKind = 'configMap' | 'secret';

/**
 * The data of a ConfigMap or Secret, by key; for a token, the key is {@link TOKEN_KEY}. A text is a value of a ConfigMap's
 * `data`, or a token: its `binaryData` can be written to files, but cannot be the value of a variable.
 */
export type InputData = ReadonlyMap<string, string | Uint8Array>;

/** The key of a service account token in its data. */
export const TOKEN_KEY = 'token';

/** A volume that the node has set up. */
export interface PreparedVolume {
	/** Where it is on the host: a directory or file, or a block device. Empty for an image. */
	readonly hostPath: string;
	/** The name of the image whose content it is; the runtime mounts it. */
	readonly image?: string;
	/** If true, every mount of it is read-only. */
	readonly readOnly: boolean;
}

/** The values of all inputs that one container takes. An object that does not exist is absent. */
export interface InputValues {
	/** By {@link needKey}. */
	readonly data: ReadonlyMap<string, InputData>;
	/** By the volume's name; undefined on a node that sets up no volumes: its runtime only simulates mounts. */
	readonly volumes: ReadonlyMap<string, PreparedVolume> | undefined;
	/** The environment files of `fileKeyRef`, by {@link envFileKey}. */
	readonly envFiles?: ReadonlyMap<string, EnvFile>;
	/** The path on the host of the Pod's `/etc/hosts`; absent if the container has that of its runtime. */
	readonly hostsFile?: string;
	/** The path on the host of the Pod's `/etc/resolv.conf`; absent if the container has that of its runtime. */
	readonly resolvConf?: string;
}

/** A file in a volume with variables. */
export interface EnvFile {
	/** Its path on the host. */
	readonly path: string;
	/** Undefined if it cannot be read. */
	readonly text: string | undefined;
}

/** The key of a file in {@link InputValues.envFiles}. */
export function envFileKey({
	volumeName,
	path,
}: {
	readonly volumeName: string;
	readonly path: string;
}): string {
	return `${volumeName}/${path}`;
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
