/** The variable part of an Event about an object: what a component tells users about it. */
export interface EventText {
	readonly type: 'Normal' | 'Warning';
	/** A short reason in CamelCase, for programs. */
	readonly reason: string;
	/** A sentence for users. */
	readonly message: string;
	/** The part of the object that the Event is about, such as `spec.containers{main}`. */
	readonly fieldPath?: string;
}
