import {
	type Descriptor,
	type Fields,
	MAX_CONFIG_BYTES,
	MAX_MANIFEST_BYTES,
	ManifestError,
	readDescriptor,
	readDocument,
} from './document.ts';
import { CONFIG_TYPES, INDEX_TYPES, layerTypeOf, MANIFEST_TYPES, SCHEMA1_TYPES } from './media-types.ts';
import { type Platform, platformRank, platformText } from './platform.ts';

/** The manifest of one image: its configuration, and its layers from the lowest to the uppermost. */
export interface ImageManifest {
	readonly kind: 'manifest';
	readonly mediaType: string;
	readonly config: Descriptor;
	readonly layers: readonly Descriptor[];
	readonly annotations: Readonly<Record<string, string>>;
}

/** A list of manifests (or of indexes), usually one per platform. */
export interface ImageIndex {
	readonly kind: 'index';
	readonly mediaType: string;
	readonly manifests: readonly Descriptor[];
	readonly annotations: Readonly<Record<string, string>>;
}

/** Maximum number of layers of an image, as of Docker: overlayfs takes no more on a page of mount options. */
export const MAX_LAYERS = 127;

/**
 * Reads a manifest or an index. `mediaType` is what the registry or the descriptor calls it; if it is empty or
 * no type of manifests (such as `application/json`), the document's own field decides.
 *
 * Throws {@link ManifestError} for anything else, and for a document that contradicts its media type: it would mean
 * different images to different programs (CVE-2021-41190).
 */
export function readManifest(bytes: Uint8Array, mediaType = ''): ImageManifest | ImageIndex {
	const fields = readDocument(bytes, { what: 'manifest', maxBytes: MAX_MANIFEST_BYTES });
	const own = fields.text('mediaType');
	const type = isManifestType(mediaType) ? mediaType : own;
	if (SCHEMA1_TYPES.includes(mediaType) || fields.has('fsLayers') || fields.count('schemaVersion') === 1)
		throw new ManifestError('media-type: schema 1 not supported');
	if (fields.count('schemaVersion') !== 2) throw fields.wrong('schemaVersion', 'is not 2');
	const isIndex = type === '' ? fields.has('manifests') : INDEX_TYPES.includes(type);
	if (type !== '' && !isManifestType(type))
		throw new ManifestError(`unexpected media type ${type} for a manifest: not found`);
	checkKind(fields, { type, own, isIndex });
	const annotations = fields.textMap('annotations') ?? {};
	if (isIndex) {
		const manifests = fields.objects('manifests').map(readDescriptor);
		return { kind: 'index', mediaType: type || indexType, manifests, annotations };
	}
	return { kind: 'manifest', mediaType: type || manifestType, ...partsOf(fields), annotations };
}

const [manifestType = ''] = MANIFEST_TYPES;
const [indexType = ''] = INDEX_TYPES;

function isManifestType(type: string): boolean {
	return MANIFEST_TYPES.includes(type) || INDEX_TYPES.includes(type);
}

/** Throws if a manifest has the parts of an index, or the other way round (upstream: `validateMediaType`). */
function checkKind(
	fields: Fields,
	{ type, own, isIndex }: { readonly type: string; readonly own: string; readonly isIndex: boolean },
): void {
	const looksLikeIndex = fields.has('manifests') || INDEX_TYPES.includes(own);
	const looksLikeManifest = fields.has('config') || fields.has('layers') || MANIFEST_TYPES.includes(own);
	if (isIndex && looksLikeManifest)
		throw new ManifestError(`media-type: expected index but found manifest (${type})`);
	if (!isIndex && looksLikeIndex)
		throw new ManifestError(`media-type: expected manifest but found index (${type})`);
}

function partsOf(fields: Fields): Pick<ImageManifest, 'config' | 'layers'> {
	const config = readDescriptor(fields.object('config'));
	const layers = fields.objects('layers').map(readDescriptor);
	if (layers.length > MAX_LAYERS)
		throw fields.wrong('layers', `has ${layers.length} layers; the maximum is ${MAX_LAYERS}`);
	if (config.size > MAX_CONFIG_BYTES)
		throw fields.wrong('config', `has ${config.size} bytes; the maximum is ${MAX_CONFIG_BYTES}`);
	return { config, layers };
}

/** Throws {@link ManifestError} unless the manifest is that of a container image, all of whose layers can be unpacked. */
export function checkRunnable({ config, layers }: ImageManifest): void {
	if (!CONFIG_TYPES.includes(config.mediaType))
		throw new ManifestError(`config media type ${config.mediaType} is not that of a container image`);
	for (const { mediaType, digest } of layers) {
		if (!layerTypeOf(mediaType))
			throw new ManifestError(`layer ${digest}: unrecognised mediatype ${mediaType}: not implemented`);
	}
}

/**
 * The manifest in an index that suits `machine` best; the first of equals. A manifest without a platform is chosen
 * only if no other suits, and the caller must then compare the platform in its configuration.
 *
 * Throws {@link ManifestError} with containerd's text if none suits; `digest` is the index's.
 */
export function chooseManifest(index: ImageIndex, machine: Platform, digest: string): Descriptor {
	const ranked = index.manifests.flatMap((descriptor) => {
		const { platform } = descriptor;
		const rank = platform ? platformRank(machine, platform) : Infinity;
		return rank === undefined ? [] : [{ descriptor, rank }];
	});
	const [best] = ranked.toSorted((a, b) => Number(a.rank > b.rank) - Number(a.rank < b.rank));
	if (best) return best.descriptor;
	throw new ManifestError(`no match for platform in manifest ${digest}: not found`);
}

/** The platforms that an index offers, as `linux/arm64`, without attestations: for hints in errors. */
export function offeredPlatforms(index: ImageIndex): readonly string[] {
	const texts = index.manifests.flatMap(({ platform }) =>
		platform && platform.os !== 'unknown' ? [platformText(platform)] : [],
	);
	return [...new Set(texts)];
}
