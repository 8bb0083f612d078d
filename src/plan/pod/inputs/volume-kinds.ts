import type { VolumeFile } from './volume-files.ts';

/** A volume and how it is made. */
export type VolumeSetUp = {
	readonly name: string;
	/** The PersistentVolume, for a volume that is bound to a claim. */
	readonly persistent?: {
		readonly name: string;
		/** If true, only one Pod may have it at a time: its access mode is ReadWriteOncePod. */
		readonly isExclusive: boolean;
	};
} & (
	| /** A read-only directory with these files, all of which change at once. */ {
			readonly kind: 'files';
			readonly files: readonly VolumeFile[];
	  }
	/** A directory that is removed with the Pod. */
	| { readonly kind: 'emptyDir'; readonly medium: string; readonly sizeLimitBytes: number | undefined }
	/** A path of the node, after a check of its type. */
	| {
			readonly kind: 'hostPath';
			readonly path: string;
			readonly type: string;
			readonly readOnly: boolean;
	  }
	/** The content of an image, which is pulled when a container is started, and which the runtime mounts. */
	| { readonly kind: 'image'; readonly reference: string }
	/** A directory or block device of the node that stores a PersistentVolume. */
	| { readonly kind: 'local'; readonly path: string; readonly readOnly: boolean }
);
