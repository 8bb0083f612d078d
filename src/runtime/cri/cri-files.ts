/** The names of this runtime's files in the runtime folder. They have no meaning in a copy of the folder. */
export const CRI_FILES = {
	/** The identity of the server: see owner.ts. */
	owner: 'cri-owner',
	/** The images that the server has pulled: see images/pulled-images.ts. */
	images: 'cri-images.json',
} as const;
