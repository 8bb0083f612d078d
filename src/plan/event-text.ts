/** An Event that a plan asks the controller to record about the planned object. */
export interface EventText {
	readonly type: 'Normal' | 'Warning';
	readonly reason: string;
	readonly message: string;
}
