# shellcheck shell=bash disable=SC2034
# Part of wordpress.sh, access.sh and spare.sh.

# Standard input becomes the file, at once and whole; CHANGED says afterwards that it was another one before. Where it is the same
# nothing is written, so that a full disk does no harm.
place() {
    local draft new
    draft=$(mktemp /run/nodepoint.XXXXXXXX)
    cat >"$draft"
    if ! cmp -s "$draft" "$1"; then
        new=$(mktemp "$1.XXXXXX")
        { cat "$draft" >"$new" && chmod 644 "$new" && mv "$new" "$1"; } || { rm -f "$new" "$draft"; return 1; }
        CHANGED=yes
    fi
    rm "$draft"
}
