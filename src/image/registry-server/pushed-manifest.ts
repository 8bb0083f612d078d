import type { Digest } from '../digest.ts';
import { MAX_MANIFEST_BYTES, ManifestError, readDescriptor, readDocument } from '../manifests/document.ts';
import { readManifest } from '../manifests/image-manifest.ts';
import { layerTypeOf } from '../manifests/media-types.ts';
import type { NewManifest } from '../store/repositories/repositories.ts';

/** The type of a configuration that says nothing (OCI image specification, "Guidance for an Empty Descriptor"). */
const EMPTY_CONFIG = 'application/vnd.oci.empty.v1+json';

/**
 * Reads a manifest or an index that a client pushes: of an image for any platform, or of another artifact. Throws a
 * {@link ManifestError} if it is malformed, or does not have the media type that the client says.
 */
export function readPushedManifest(
	bytes: Uint8Array,
	{ digest, mediaType }: { readonly digest: Digest; readonly mediaType: string },
): Pick<NewManifest, 'record' | 'required'> {
	const document = readManifest(bytes, mediaType);
	const fields = readDocument(bytes, { what: 'manifest', maxBytes: MAX_MANIFEST_BYTES });
	const own = fields.text('mediaType');
	if (mediaType !== '' && mediaType !== document.mediaType)
		throw new ManifestError(`${mediaType} is not the media type of manifests`);
	if (own !== '' && own !== document.mediaType)
		throw new ManifestError(`the manifest has the media type ${own}, and was sent as ${mediaType}`);
	const subject = fields.has('subject') ? readDescriptor(fields.object('subject')).digest : undefined;
	const isImage = document.kind === 'manifest';
	const named = isImage ? [document.config, ...document.layers] : [];
	const stated = fields.text('artifactType');
	const kind = stated === '' && isImage && subject !== undefined ? document.config.mediaType : stated;
	const isElsewhere = (type: string): boolean => layerTypeOf(type)?.isForeign ?? false;
	return {
		record: {
			digest,
			mediaType: document.mediaType,
			size: bytes.byteLength,
			...(kind !== '' && kind !== EMPTY_CONFIG && { artifactType: kind }),
			...(subject !== undefined && { subject }),
			...(Object.keys(document.annotations).length > 0 && { annotations: document.annotations }),
			blobs: named.map((each) => each.digest),
			manifests: isImage ? [] : document.manifests.map((each) => each.digest),
		},
		required: named.filter((each) => !isElsewhere(each.mediaType)).map((each) => each.digest),
	};
}
