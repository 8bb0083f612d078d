/** What a layer may cost. All can be configured down. */
export interface LayerLimits {
	/** Bytes of one extension header: PAX records, a GNU long name or long link. */
	readonly extensionBytes: number;
	/** Entries of a layer, extension headers included. */
	readonly entries: number;
	/** Bytes of the uncompressed archive. */
	readonly unpackedBytes: number;
	/** Bytes of the uncompressed archive for each byte of the compressed one. */
	readonly ratio: number;
	/** Up to this many uncompressed bytes the ratio is not checked: a few zero blocks compress very well. */
	readonly ratioFreeBytes: number;
}

/** The limits of the design. The size is further limited by the free space of the disk. */
export const DEFAULT_LAYER_LIMITS: LayerLimits = {
	extensionBytes: 1 << 20,
	entries: 2_000_000,
	unpackedBytes: Number.MAX_SAFE_INTEGER,
	ratio: 1000,
	ratioFreeBytes: 16 << 20,
};
