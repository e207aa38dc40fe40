package v1alpha1

// The rules about joiners are those of the service as far as they need no table of letters that
// join. It refuses the rest: Ready is False then, with the reason Invalid.

// TrainName is a name that passengers see. It must have a letter or digit and only characters that
// can be seen. Spaces at its ends are removed.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=255
// +kubebuilder:validation:XValidation:rule=`self.matches(r'[\pL\pN]')`,message="name must have a letter or digit"
// +kubebuilder:validation:XValidation:rule=`self.trim().matches(r'^[\pL\pM\pN\pP\pS\p{Zs}\x{200c}\x{200d}]*$') && !self.matches(r'[\x{34f}\x{115f}\x{1160}\x{17b4}\x{17b5}\x{180b}-\x{180f}\x{2800}\x{3164}\x{fe00}-\x{fe0f}\x{ffa0}\x{e0000}-\x{e0fff}]')`,message="name must not contain control, invisible, private-use or unassigned characters"
// +kubebuilder:validation:XValidation:rule=`!self.matches(r'(^|[^\pM\x{9b0}\x{cb0}])\x{200d}|(^|[^\pM\pL]|[\p{Latin}\p{Greek}\p{Cyrillic}])\x{200c}')`,message="name must not contain joiners except between letters that join"
type TrainName string

// Station is the name of a station. It must have a letter or digit and only characters that can be
// seen.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=255
// +kubebuilder:validation:XValidation:rule=`self.matches(r'[\pL\pN]')`,message="station must have a letter or digit"
// +kubebuilder:validation:XValidation:rule=`self.trim().matches(r'^[\pL\pM\pN\pP\pS\p{Zs}\x{200c}\x{200d}]*$') && !self.matches(r'[\x{34f}\x{115f}\x{1160}\x{17b4}\x{17b5}\x{180b}-\x{180f}\x{2800}\x{3164}\x{fe00}-\x{fe0f}\x{ffa0}\x{e0000}-\x{e0fff}]')`,message="station must not contain control, invisible, private-use or unassigned characters"
// +kubebuilder:validation:XValidation:rule=`!self.matches(r'(^|[^\pM\x{9b0}\x{cb0}])\x{200d}|(^|[^\pM\pL]|[\p{Latin}\p{Greek}\p{Cyrillic}])\x{200c}')`,message="station must not contain joiners except between letters that join"
type Station string
