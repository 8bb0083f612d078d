import { type Digest, digestOf } from '../digest.ts';
import type { ImageConfig } from '../manifests/image-config.ts';
import type { ImageManifest } from '../manifests/image-manifest.ts';
import type { LayerRef } from './records.ts';

/** The layers of an image with their chain ids (OCI image specification, "Layer ChainID"). */
export function layerRefs({ layers }: ImageManifest, { diffIds }: ImageConfig): readonly LayerRef[] {
	let below: Digest | undefined;
	return layers.flatMap(({ digest, size }, i) => {
		const diffId = diffIds[i];
		if (diffId === undefined) return [];
		const chainId: Digest = below === undefined ? diffId : digestOf(`${below} ${diffId}`);
		below = chainId;
		return [{ digest, size, diffId, chainId }];
	});
}
