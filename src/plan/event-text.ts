/** An Event that a plan asks for, about the object that it was made for. */
export interface EventText {
	readonly type: 'Normal' | 'Warning';
	readonly reason: string;
	readonly message: string;
}
