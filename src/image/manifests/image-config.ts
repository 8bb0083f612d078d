import { isDigest } from '../digest.ts';
import { type Fields, MAX_CONFIG_BYTES, ManifestError, readDocument } from './document.ts';
import { type ImageManifest, MAX_LAYERS } from './image-manifest.ts';
import { type Platform, readPlatform } from './platform.ts';

/**
 * The configuration of an image: what its containers run by default, and the digests of its unpacked layers. A field
 * that the image does not set is absent or empty.
 */
export interface ImageConfig {
	readonly platform: Platform;
	/** RFC 3339. */
	readonly created?: string;
	readonly author?: string;
	/** `NAME=value`, in order. */
	readonly env: readonly string[];
	readonly entrypoint: readonly string[];
	readonly cmd: readonly string[];
	/** `user`, `uid`, `user:group` or `uid:gid`; empty means root. */
	readonly user: string;
	/** Empty means the root folder. */
	readonly workingDir: string;
	/** Such as `SIGTERM` or `15`; empty means SIGTERM. */
	readonly stopSignal: string;
	/** Paths in the container. */
	readonly volumes: readonly string[];
	/** `port/protocol`, or `port`. */
	readonly exposedPorts: readonly string[];
	readonly labels: Readonly<Record<string, string>>;
	/** Digests of the layers' uncompressed tar archives, from the lowest layer to the uppermost. */
	readonly diffIds: readonly string[];
	readonly history: readonly ImageHistory[];
}

/** How a layer was made. An entry with `isEmptyLayer` has no layer. */
export interface ImageHistory {
	readonly created: string;
	readonly createdBy: string;
	readonly comment: string;
	readonly isEmptyLayer: boolean;
}

/** Reads an image configuration. Throws ManifestError if it is malformed or exceeds the limits. */
export function readImageConfig(bytes: Uint8Array): ImageConfig {
	const fields = readDocument(bytes, { what: 'image config', maxBytes: MAX_CONFIG_BYTES });
	const created = fields.text('created');
	const author = fields.text('author');
	return {
		platform: readPlatform(fields),
		...(created && { created }),
		...(author && { author }),
		...containerDefaults(fields.object('config')),
		diffIds: readDiffIds(fields.object('rootfs')),
		history: fields.objects('history').map(historyEntry),
	};
}

function containerDefaults(fields: Fields): Omit<ImageConfig, 'platform' | 'diffIds' | 'history'> {
	return {
		env: fields.texts('Env') ?? [],
		entrypoint: fields.texts('Entrypoint') ?? [],
		cmd: fields.texts('Cmd') ?? [],
		user: fields.text('User'),
		workingDir: fields.text('WorkingDir'),
		stopSignal: fields.text('StopSignal'),
		volumes: fields.names('Volumes'),
		exposedPorts: fields.names('ExposedPorts'),
		labels: fields.textMap('Labels') ?? {},
	};
}

function readDiffIds(rootfs: Fields): readonly string[] {
	const diffIds = rootfs.texts('diff_ids') ?? [];
	if (rootfs.text('type') !== 'layers') throw rootfs.wrong('type', 'is not "layers"');
	if (diffIds.length > MAX_LAYERS)
		throw rootfs.wrong('diff_ids', `has ${diffIds.length} layers; the maximum is ${MAX_LAYERS}`);
	for (const each of diffIds)
		if (!isDigest(each)) throw rootfs.wrong('diff_ids', `${JSON.stringify(each)} is not a digest`);
	return diffIds;
}

function historyEntry(fields: Fields): ImageHistory {
	return {
		created: fields.text('created'),
		createdBy: fields.text('created_by'),
		comment: fields.text('comment'),
		isEmptyLayer: fields.flag('empty_layer'),
	};
}

/** Throws ManifestError unless the configuration has a diff ID for each layer of the manifest. */
export function checkLayerCount({ layers }: ImageManifest, { diffIds }: ImageConfig): void {
	if (layers.length !== diffIds.length)
		throw new ManifestError(
			`number of layers and diffIDs don't match: ${layers.length} != ${diffIds.length}`,
		);
}
