/** The media types of images: those of the OCI specification, and those of Docker with the same meaning. */

/** Media types that this program writes. */
export const MEDIA_TYPES = {
	manifest: 'application/vnd.oci.image.manifest.v1+json',
	index: 'application/vnd.oci.image.index.v1+json',
	config: 'application/vnd.oci.image.config.v1+json',
	layer: 'application/vnd.oci.image.layer.v1.tar',
	gzipLayer: 'application/vnd.oci.image.layer.v1.tar+gzip',
	zstdLayer: 'application/vnd.oci.image.layer.v1.tar+zstd',
	dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
	dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
	dockerConfig: 'application/vnd.docker.container.image.v1+json',
	dockerGzipLayer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
} as const;

/** Media types of manifests of one image. */
export const MANIFEST_TYPES: readonly string[] = [MEDIA_TYPES.manifest, MEDIA_TYPES.dockerManifest];

/** Media types of indexes, which offer an image per platform. */
export const INDEX_TYPES: readonly string[] = [MEDIA_TYPES.index, MEDIA_TYPES.dockerList];

/** Media types of image configurations. A manifest with another one describes no container image. */
export const CONFIG_TYPES: readonly string[] = [MEDIA_TYPES.config, MEDIA_TYPES.dockerConfig];

/** Docker's manifests of 2014, which containerd 2 refuses too. */
export const SCHEMA1_TYPES: readonly string[] = [
	'application/vnd.docker.distribution.manifest.v1+prettyjws',
	'application/vnd.docker.distribution.manifest.v1+json',
];

/** How the tar archive of a layer is compressed. `unknown`: the first bytes tell. */
export type LayerCompression = 'none' | 'gzip' | 'zstd' | 'unknown';

/** What the media type of a layer says. */
export interface LayerType {
	readonly compression: LayerCompression;
	/** Whether registries may lack the content, which is then at the descriptor's `urls`. */
	readonly isForeign: boolean;
}

const OCI_LAYER = 'application/vnd.oci.image.layer.v1.tar';
const OCI_FOREIGN_LAYER = 'application/vnd.oci.image.layer.nondistributable.v1.tar';
const DOCKER_LAYER = 'application/vnd.docker.image.rootfs.diff.tar';
const DOCKER_FOREIGN_LAYER = 'application/vnd.docker.image.rootfs.foreign.diff.tar';

/** Layers of Docker's plain type may be compressed nevertheless (upstream: `DiffCompression`). */
const LAYER_TYPES: ReadonlyMap<string, LayerType> = new Map([
	[OCI_LAYER, { compression: 'none', isForeign: false }],
	[`${OCI_LAYER}+gzip`, { compression: 'gzip', isForeign: false }],
	[`${OCI_LAYER}+zstd`, { compression: 'zstd', isForeign: false }],
	[OCI_FOREIGN_LAYER, { compression: 'none', isForeign: true }],
	[`${OCI_FOREIGN_LAYER}+gzip`, { compression: 'gzip', isForeign: true }],
	[`${OCI_FOREIGN_LAYER}+zstd`, { compression: 'zstd', isForeign: true }],
	[DOCKER_LAYER, { compression: 'unknown', isForeign: false }],
	[`${DOCKER_LAYER}.gzip`, { compression: 'gzip', isForeign: false }],
	[`${DOCKER_LAYER}.zstd`, { compression: 'zstd', isForeign: false }],
	[DOCKER_FOREIGN_LAYER, { compression: 'unknown', isForeign: true }],
	[`${DOCKER_FOREIGN_LAYER}.gzip`, { compression: 'gzip', isForeign: true }],
]);

/** What the media type says about a layer; undefined if it is not the type of a layer that can be unpacked. */
export function layerTypeOf(mediaType: string): LayerType | undefined {
	return LAYER_TYPES.get(mediaType);
}

/** How content that begins with these bytes is compressed. At least four bytes are needed. */
export function compressionOf(start: Uint8Array): Exclude<LayerCompression, 'unknown'> {
	const [a, b, c, d] = start;
	if (a === 0x1f && b === 0x8b && c === 0x08) return 'gzip';
	if (a === 0x28 && b === 0xb5 && c === 0x2f && d === 0xfd) return 'zstd';
	return 'none';
}

/** The media type in a Content-Type header, without parameters and in lower case. */
export function bareMediaType(contentType: string | undefined): string {
	return (contentType ?? '').split(';', 1).join().trim().toLowerCase();
}
