// What parameters mean. ksonnet hands over what `ks generate` was given: strings, numbers, objects; "null" is not set.
{
  given(value):: value != null && value != 'null' && value != '',

  // A yes or no, however it was written.
  flag(params, name):: (
    local value = params[name];
    if value == true || value == 'true' then true
    else if value == false || value == 'false' then false
    else error '%s is %s; it must be true or false' % [name, std.manifestJsonEx(value, '')]
  ),

  // A whole number from `least` on; 0 for what is not set.
  count(params, name, least=0):: (
    local value = params[name];
    local number = if !$.given(value) then 0 else if std.isString(value) then std.parseInt(value) else value;
    if number >= least && number == std.floor(number) then number
    else error '%s is %s; it must be a whole number from %d on' % [name, std.manifestJsonEx(value, ''), least]
  ),

  object(params, name):: (
    local value = params[name];
    if !$.given(value) then {}
    else if std.isObject(value) then value
    else error '%s must be an object such as {"requests":{"cpu":"100m"}}' % name
  ),

  // HOST/PATH:TAG, with @DIGEST where a digest is given; `registry` takes the place of HOST.
  image(params, host, path, tag, digest):: (
    local registry = if $.given(params.registry) then std.rstripChars(params.registry, '/') else host;
    if $.given(digest) && !std.startsWith(digest, 'sha256:')
    then error 'the digest %s does not begin with sha256:' % digest
    else '%s/%s:%s%s' % [registry, path, tag, if $.given(digest) then '@' + digest else '']
  ),

  pullSecrets(params):: if $.given(params.imagePullSecret) then { imagePullSecrets: [{ name: params.imagePullSecret }] } else {},

  // Only what has something in it.
  some(object):: { [key]: object[key] for key in std.objectFields(object) if std.length(object[key]) > 0 },
}
